/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: jira
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `AO_000`
--

DROP TABLE IF EXISTS `AO_000`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `AO_000` (
  `a` text DEFAULT NULL,
  `b` blob DEFAULT NULL,
  `c` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `AO_000`
--

LOCK TABLES `AO_000` WRITE;
/*!40000 ALTER TABLE `AO_000` DISABLE KEYS */;
INSERT INTO `AO_000` VALUES
('INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES (1);\'\\','\0\'\\\"',1),
('it\'s -- # /*',NULL,-5);
/*!40000 ALTER TABLE `AO_000` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb4 */ ;
/*!50003 SET character_set_results = utf8mb4 */ ;
/*!50003 SET collation_connection  = utf8mb4_general_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=``*/ /*!50003 TRIGGER tr BEFORE INSERT ON AO_000 FOR EACH ROW SET NEW.c = 1 
*/;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Table structure for table `AO_81F455_PERSONAL_TOKEN`
--

DROP TABLE IF EXISTS `AO_81F455_PERSONAL_TOKEN`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `AO_81F455_PERSONAL_TOKEN` (
  `CREATED_AT` datetime(6) NOT NULL,
  `EXPIRING_AT` datetime NOT NULL,
  `HASHED_TOKEN` varchar(255) DEFAULT NULL,
  `ID` bigint(20) NOT NULL AUTO_INCREMENT,
  `LAST_ACCESSED_AT` datetime(6) DEFAULT NULL,
  `NAME` varchar(255) NOT NULL,
  `NOTIFICATION_STATE` varchar(255) DEFAULT NULL,
  `TOKEN_ID` varchar(255) NOT NULL,
  `USER_KEY` varchar(255) NOT NULL,
  PRIMARY KEY (`ID`),
  KEY `index_ao_81f455_per112` (`TOKEN_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `AO_81F455_PERSONAL_TOKEN`
--

LOCK TABLES `AO_81F455_PERSONAL_TOKEN` WRITE;
/*!40000 ALTER TABLE `AO_81F455_PERSONAL_TOKEN` DISABLE KEYS */;
INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES
('2024-07-02 23:19:52.079000','9999-12-31 00:00:00','{PKCS5S2}AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN',2,'2024-07-03 17:44:39.117857','ci token','NOT_SENT','123456789012','JIRAUSER10000'),
('2024-07-02 23:19:52.000000','9999-12-31 01:00:00','{PKCS5S2}AAAAAAAAAAAAAAAAAAAAACoM0Eex6ffK+XvwYTe/C7nYgQ4CzNSURm2UNmIiCz9w',3,NULL,'tab	here, \"quotes\", it\'s\na line\r\n\\ \\n; -- # /* $1 $$','EXPIRE_SOON_SENT','000000000000','bob'),
('2024-02-29 00:00:00.100000','2031-01-01 00:00:00','{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L',4,'2025-01-01 00:00:00.000001','\\N','EXPIRED_SENT','999999999999','alice@example.com'),
('2024-02-29 00:00:00.100000','2031-01-01 00:00:00','{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L',5,NULL,'\\.','NOT_SENT','999999999998','é漢👍'),
('2024-02-29 00:00:00.100000','2031-01-01 00:00:00','{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L',6,NULL,'NULL','NOT_SENT','999999999997','x');
/*!40000 ALTER TABLE `AO_81F455_PERSONAL_TOKEN` ENABLE KEYS */;
UNLOCK TABLES;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-22  3:57:37
