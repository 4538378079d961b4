-- MySQL dump 10.13  Distrib 5.7.40, for Linux (x86_64)
--
-- Host: localhost    Database: xc_vm
-- ------------------------------------------------------
-- Server version	5.7.40
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `blocked_ips`;
CREATE TABLE `blocked_ips` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `ip` varchar(39) DEFAULT NULL,
  `notes` mediumtext,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `blocked_ips` VALUES (1,'198.18.77.1','it''s a \"flood\"; (again),(2'),(2,'198.18.77.2',NULL);
CREATE TABLE `lines` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `member_id` int(11) DEFAULT NULL,
  `username` varchar(255) DEFAULT NULL,
  `password` varchar(255) DEFAULT NULL,
  `last_ip` varchar(255) DEFAULT NULL,
  `exp_date` int(11) DEFAULT NULL,
  `admin_enabled` int(11) DEFAULT '1',
  `enabled` int(11) DEFAULT '1',
  `bouquet` mediumtext,
  `max_connections` int(11) DEFAULT '1',
  `is_restreamer` tinyint(4) DEFAULT '0',
  `is_trial` tinyint(4) DEFAULT '0',
  `is_mag` tinyint(4) DEFAULT '0',
  `created_at` int(11) DEFAULT NULL,
  `contact` text,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `lines` VALUES (1,2,'line1','fakepass1','198.18.1.1',NULL,1,1,'[1,2]',1,0,0,0,1700000000,'anna@mail.example'),(2,2,'line2','fakepass2',NULL,1800000000,1,0,'[1]',2,0,1,1,1700000100,NULL),(3,NULL,'broken'),(4,3,'café au lait','fakepass4','',1600000000,1,1,'[]','x',0,0,0,1600000000,'');
CREATE TABLE `login_logs` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `type` varchar(50) DEFAULT NULL,
  `access_code` int(11) DEFAULT NULL,
  `user_id` int(11) DEFAULT NULL,
  `status` varchar(50) DEFAULT NULL,
  `login_ip` varchar(255) DEFAULT NULL,
  `date` int(11) DEFAULT NULL
);
INSERT INTO `login_logs` VALUES (1,'ADMIN',1,1,'SUCCESS','198.18.2.1',1700000000),(2,'RESELLER',2,2,'INVALID_LOGIN','198.18.2.2',1700000001),(3,'RESELLER',2,2,'SUCCESS','198.18.2.3',1700000002),(4,'RESELLER',2,99,'SUCCESS','198.18.2.4',1700000003);
CREATE TABLE `mag_devices` (
  `mag_id` int(11) NOT NULL AUTO_INCREMENT,
  `user_id` int(11) DEFAULT NULL,
  `mac` varchar(50) DEFAULT NULL,
  `ip` varchar(20) DEFAULT NULL,
  `stb_type` varchar(20) DEFAULT NULL,
  `sn` varchar(255) DEFAULT NULL,
  `device_id` varchar(255) DEFAULT NULL,
  `hw_version` varchar(255) DEFAULT NULL,
  `token` varchar(32) DEFAULT NULL
);
INSERT INTO `mag_devices` VALUES (1,2,'MDA6MUE6Nzk6MDA6MDA6MDE=','198.18.1.1','MAG254','sn1','','1.7','faketoken'),(2,1,'00:1A:79:00:00:02',NULL,'MAG250','sn2',NULL,'1.7',NULL);
CREATE TABLE `providers` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `name` varchar(128) DEFAULT NULL,
  `ip` varchar(128) DEFAULT NULL,
  `port` int(5) DEFAULT '80',
  `username` varchar(128) DEFAULT NULL,
  `password` varchar(128) DEFAULT NULL,
  `legacy` tinyint(1) DEFAULT '0',
  `ssl` tinyint(1) DEFAULT '0',
  `hls` tinyint(1) DEFAULT '0'
);
INSERT INTO `providers` VALUES (1,'Up One','Up.Example',8080,'upuser','fakeup',0,0,0);
CREATE TABLE `servers` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `server_type` int(1) DEFAULT '0',
  `server_name` varchar(255) DEFAULT NULL,
  `domain_name` mediumtext,
  `server_ip` varchar(255) DEFAULT NULL,
  `is_main` int(16) DEFAULT '0',
  `parent_id` text,
  `http_broadcast_port` int(11) DEFAULT '80',
  `https_broadcast_port` int(11) DEFAULT '443',
  `total_clients` int(11) DEFAULT '250',
  `network_interface` varchar(255) DEFAULT 'eth0',
  `status` tinyint(4) DEFAULT '-1'
);
INSERT INTO `servers` VALUES (1,0,'Main Server','tv.example, cdn.tv.example','198.18.0.1',1,'0',80,443,1000,'auto',1),(2,0,'LB','','198.18.0.2',0,'[1]',80,443,1000,'eth0',1);
CREATE TABLE `streams` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `type` int(11) DEFAULT NULL,
  `category_id` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `stream_display_name` mediumtext,
  `stream_source` mediumtext,
  `stream_icon` mediumtext,
  `target_container` text,
  `custom_sid` varchar(150) DEFAULT NULL,
  `epg_id` int(11) DEFAULT NULL,
  `channel_id` varchar(255) DEFAULT NULL,
  `direct_source` tinyint(4) DEFAULT '0',
  `year` int(4) DEFAULT NULL
);
INSERT INTO `streams` VALUES (10,1,'[3,7]','UK: News HD','[\"http:\\/\\/up.example:8080\\/live\\/upuser\\/fakeup\\/55.ts\",\"http:\\/\\/198.18.9.9\\/feed\\/1.m3u8\"]','','[\"ts\"]',NULL,1,'News.uk',0,NULL),(11,2,'[8]','A Film','[\"s:1:\\/media\\/a.mkv\"]','http://logos.example/a.png','[\"mkv\"]',NULL,NULL,NULL,0,2019),(12,5,'[8]','A Show S01E02','[\"http:\\/\\/other.example\\/series\\/u2\\/fakep2\\/77.mkv\"]','','[\"mkv\"]',NULL,NULL,NULL,0,NULL);
CREATE TABLE `streams_categories` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `category_type` varchar(255) DEFAULT NULL,
  `category_name` varchar(255) DEFAULT NULL,
  `parent_id` int(11) DEFAULT '0',
  `cat_order` int(11) DEFAULT '0'
);
INSERT INTO `streams_categories` VALUES (3,'live','UK | News',0,1),(8,'movie','Drama',0,2);
CREATE TABLE `streams_servers` (
  `server_stream_id` int(11) NOT NULL AUTO_INCREMENT,
  `stream_id` int(11) DEFAULT NULL,
  `server_id` int(11) DEFAULT NULL,
  `parent_id` int(11) DEFAULT NULL,
  `stream_status` int(11) DEFAULT '0',
  `current_source` mediumtext,
  `on_demand` tinyint(4) DEFAULT '0'
);
INSERT INTO `streams_servers` VALUES (1,10,1,NULL,0,'http://up.example:8080/live/upuser/fakeup/55.ts',0),(2,10,2,1,0,NULL,0),(3,11,2,2,0,NULL,1);
CREATE TABLE `tickets` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `member_id` int(11) DEFAULT NULL,
  `title` varchar(255) DEFAULT NULL,
  `status` int(11) DEFAULT '1',
  `admin_read` tinyint(4) DEFAULT '0',
  `user_read` tinyint(4) DEFAULT '0'
);
INSERT INTO `tickets` VALUES (5,2,'Payment sent',1,1,1);
CREATE TABLE `tickets_replies` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `ticket_id` int(11) DEFAULT NULL,
  `admin_reply` tinyint(4) DEFAULT NULL,
  `message` mediumtext,
  `date` int(11) DEFAULT NULL
);
INSERT INTO `tickets_replies` VALUES (1,5,0,'It\'s sent,\r\nwrite to pay@mail.example or see https://shop.example/x',1700000000),(2,5,1,'ok, ask boss@mail.example',1700000001);
CREATE TABLE `users` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `username` varchar(50) DEFAULT NULL,
  `password` varchar(255) DEFAULT NULL,
  `email` varchar(255) DEFAULT NULL,
  `ip` varchar(255) DEFAULT NULL,
  `date_registered` int(11) DEFAULT NULL,
  `last_login` int(11) DEFAULT NULL,
  `member_group_id` int(11) DEFAULT NULL,
  `credits` float DEFAULT '0',
  `notes` mediumtext,
  `status` tinyint(2) DEFAULT '1',
  `owner_id` int(11) DEFAULT '0',
  `hue` varchar(50) DEFAULT NULL,
  `api_key` varchar(64) DEFAULT NULL
);
INSERT INTO `users` VALUES (1,'admin','$6$rounds=20000$xc_vm$fake','boss@mail.example','198.18.3.1',0,1700000000,1,0,'',1,0,NULL,NULL),(2,'bob','$6$rounds=20000$xc_vm$fake2','Bob@Mail.example','198.18.3.2',1600000000,1700000000,2,12.5,'says \"hi\", pays from pay.bob@mail.example\nsince May',1,1,'x','fakekey'),(3,'eve','$6$fake3','','',1600000000,NULL,5,-3,NULL,1,2,NULL,'');
CREATE TABLE `users_groups` (
  `group_id` int(11) NOT NULL AUTO_INCREMENT,
  `group_name` mediumtext,
  `is_admin` tinyint(4) DEFAULT '0',
  `is_reseller` tinyint(4) DEFAULT NULL,
  `allowed_pages` mediumtext,
  `subresellers` mediumtext
);
INSERT INTO `users_groups` VALUES (1,'Administrators',1,0,'[]','[]'),(2,'Resellers',0,1,'[]','[]'),(5,'Staff',1,0,'[]','[]');
-- Dump completed on 2026-03-01  2:00:00
